// How the name of a check says what is a row of the matrix and what is its cell.
/** Between a row's name and the cell. */
export const CELL = ' → ';
/** Before the value of a set that does not give what the kit relies on. */
export const BY_DESIGN = '✗ by design: ';
