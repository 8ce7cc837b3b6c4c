/** What `npm start -- --help` says. */
export const usage: string;
