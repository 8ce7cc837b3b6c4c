// Is somebody there? Single questions over loopback, without connections that stay open.
import { get } from 'node:http';
import { connect } from 'node:net';

const PATIENCE_MS = 1_000;

/** True when a GET answers with this status. */
export function answers(url: string, status: number, headers: Record<string, string> = {}): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, headers, timeout: PATIENCE_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === status);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}

/** True when something accepts connections on the port. */
export function accepts(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, timeout: PATIENCE_MS });
    const end = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
