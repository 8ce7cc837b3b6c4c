/** What went wrong while getting ready, and what to do about it. */
export class Failure extends Error {
  constructor(message, remedy) {
    super(message);
    this.remedy = remedy;
  }
}
