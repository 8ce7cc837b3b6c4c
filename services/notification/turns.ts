// One at a time, in the order of asking.

/** Runs tasks one after the other. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs the task when all before it are over, whatever became of them. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task, task);
    this.#last = turn;
    turn.catch(() => undefined); // whoever asked is told
    return turn;
  }
}
