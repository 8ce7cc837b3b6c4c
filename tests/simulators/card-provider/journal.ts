// An append-only file of lines: what was written before a kill is there after it, and any line can be read again by its place.
import { closeSync, fsyncSync, mkdirSync, openSync, readSync, truncateSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Where a line stands in the file, in bytes, its line end not counted. */
export type Place = { offset: number; length: number };

export type Journal = {
  /** Writes a line. @throws what the file system throws; the file is as before then. */
  append(line: string): Place;
  read(place: Place): string;
  close(): void;
};

const CHUNK = 1024 * 1024;
const LINE_END = 0x0a;

/**
 * Opens the file, making it and its folder when there are none, and hands over every line that is there.
 * A last line cut off by a kill is dropped: nobody was told of it.
 */
export function openJournal(file: string, onLine: (line: string, place: Place) => void): Journal {
  mkdirSync(dirname(file), { recursive: true });
  const fd = openSync(file, 'a+', 0o600);
  let size = readLines(fd, onLine);
  truncateSync(file, size);

  return {
    append(line) {
      const bytes = Buffer.from(`${line}\n`);
      try {
        // A write that returned survives the end of this process; only a power cut could lose it.
        if (writeSync(fd, bytes) !== bytes.length) throw new Error(`${file} could not be written whole`);
      } catch (cause) {
        truncateSync(file, size);
        throw cause;
      }
      const place = { offset: size, length: bytes.length - 1 };
      size += bytes.length;
      return place;
    },
    read({ offset, length }) {
      const bytes = Buffer.alloc(length);
      readSync(fd, bytes, 0, length, offset);
      return bytes.toString('utf8');
    },
    close() {
      fsyncSync(fd);
      closeSync(fd);
    },
  };
}

/** Reads in pieces, since a book of many runs does not fit into memory; answers the end of the last whole line. */
function readLines(fd: number, onLine: (line: string, place: Place) => void): number {
  const chunk = Buffer.alloc(CHUNK);
  let rest = Buffer.alloc(0);
  let offset = 0;
  for (;;) {
    const read = readSync(fd, chunk, 0, CHUNK, offset + rest.length);
    if (read === 0) return offset;
    const bytes = Buffer.concat([rest, chunk.subarray(0, read)]);
    let start = 0;
    for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, start)) {
      const length = end - start;
      onLine(bytes.toString('utf8', start, end), { offset: offset + start, length });
      start = end + 1;
    }
    offset += start;
    rest = bytes.subarray(start);
  }
}
