// The one error of the runner.
/** A fault of the stack that a person can mend: what happened and what to do about it. */
export class StackError extends Error {
  override readonly name = 'StackError';
  readonly remedy: string;

  constructor(message: string, remedy: string, cause?: unknown) {
    super(message, { cause });
    this.remedy = remedy;
  }
}
