import koffi from "koffi";
import { encodeText } from "@guestfs/protocol";
import { check } from "./system-error.ts";

const libc = koffi.load("libc.so.6");
const socketC = libc.func("socket", "int", ["int", "int", "int"]) as (
  family: number,
  type: number,
  protocol: number,
) => number;
const bindC = libc.func("bind", "int", ["int", "void*", "uint"]) as (
  fd: number,
  address: Uint8Array,
  length: number,
) => number;
const listenC = libc.func("listen", "int", ["int", "int"]) as (fd: number, backlog: number) => number;
const acceptC = libc.func("accept4", "int", ["int", "void*", "void*", "int"]) as (
  fd: number,
  address: null,
  length: null,
  flags: number,
) => number;

const socketPairC = libc.func("socketpair", "int", ["int", "int", "int", "_Out_ int *"]) as (
  family: number,
  type: number,
  protocol: number,
  fds: number[],
) => number;
const shutdownC = libc.func("shutdown", "int", ["int", "int"]) as (fd: number, how: number) => number;

const AF_UNIX = 1;
const SHUT_WR = 1;
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const sunPathMax = 107;
const backlog = 4;

/** Binds a new unix socket and listens; the path must not exist. */
export function listenUnix(path: string): number {
  const name = encodeText(path);
  if (name.length > sunPathMax) throw new RangeError(`${path}: longer than the ${sunPathMax} bytes of a socket's name`);
  const address = new Uint8Array(2 + name.length + 1);
  address[0] = AF_UNIX;
  address.set(name, 2);
  const fd = check(socketC(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  check(bindC(fd, address, address.length), "bind");
  check(listenC(fd, backlog), "listen");
  return fd;
}

/** Waits for the next client. */
export function acceptUnix(listener: number): number {
  return check(acceptC(listener, null, null, SOCK_CLOEXEC), "accept");
}

/** Two sockets that are connected with each other. */
export function socketPair(): [number, number] {
  return pair(SOCK_STREAM);
}

/** Two such sockets that never wait, and keep what was written by one call together for one read: as a virtio port does it. */
export function packetPair(): [number, number] {
  return pair(SOCK_SEQPACKET | SOCK_NONBLOCK);
}

function pair(type: number): [number, number] {
  const fds = [-1, -1];
  check(socketPairC(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), "socketpair");
  return fds as [number, number];
}

/** Sends the end of the stream. */
export function shutDownWriting(fd: number): void {
  check(shutdownC(fd, SHUT_WR), "shutdown");
}
