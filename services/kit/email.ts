// E-mail addresses as the mail server takes them.

/** A mailbox: one, in ASCII, with nothing that could part addresses or end a header (the HTML standard's form, shorter). */
export const MAILBOX = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
