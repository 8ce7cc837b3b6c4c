// What the gateway says when it says no: an RFC 9457 problem document as a typed error.

/** The body of every error answer (docs: Conventions of the public surface). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance?: string;
  /** Stable and SCREAMING_SNAKE: the one thing to decide by. */
  readonly code: string;
  readonly traceId?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail?: string }[];
}

/** An answer of 400 or above. `problem` is undefined when the body was no problem document, which is a defect by itself. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: number;
  readonly code: string | undefined;
  readonly problem: Problem | undefined;

  constructor(request: string, status: number, body: unknown) {
    const problem = problemOf(body);
    super(
      `${request} answered ${status}${problem ? ` ${problem.code}: ${problem.detail ?? problem.title}` : ` without a problem document: ${excerpt(body)}`}`,
    );
    this.status = status;
    this.problem = problem;
    this.code = problem?.code;
  }
}

/** No answer within the client's patience: the connection was refused, lost or silent. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

function problemOf(body: unknown): Problem | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { code, status, title } = body as Partial<Problem>;
  return typeof code === 'string' && typeof status === 'number' && typeof title === 'string'
    ? (body as Problem)
    : undefined;
}

function excerpt(body: unknown): string {
  return (typeof body === 'string' ? body : (JSON.stringify(body) ?? 'nothing')).slice(0, 200);
}
