// An FTP server with one file, as far as a reader needs one (RFC 959, RFC 2428 for EPSV, RFC 3659 for SIZE and REST).
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { TlsOptions } from "node:tls";

/** What {@link startFtpServer} serves. */
export interface FtpFile {
  /** Path on the server, without `/` at the start. */
  name: string;
  /** The file with its bytes. */
  path: string;
  user: string;
  password: string;
  /** Key and certificate: everything is encrypted from the first byte on (ftps). */
  tls?: TlsOptions;
}

/** A server on a port of 127.0.0.1. */
export interface FtpServer {
  port: number;
  /** All that clients have said, without the line ends. */
  heard: string[];
  close(): void;
}

function listen(tls: TlsOptions | undefined, onSocket: (socket: Socket) => void): Promise<[Server, number]> {
  const server = tls === undefined ? createServer(onSocket) : createTlsServer(tls, onSocket);
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve([server, (server.address() as AddressInfo).port])),
  );
}

/** Serves a file until it is closed. */
export async function startFtpServer(file: FtpFile): Promise<FtpServer> {
  const bytes = readFileSync(file.path);
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const open = (socket: Socket): void => {
    sockets.add(socket.on("error", () => undefined).on("close", () => sockets.delete(socket)));
  };

  const converse = (control: Socket): void => {
    let [user, folder, isIn, from] = ["", "", false, 0];
    let data: Promise<Socket> | undefined;
    const say = (...lines: string[]): unknown => control.write(lines.map((line) => `${line}\r\n`).join(""));
    const isFile = (name: string): boolean => `${folder}/${name}`.replace(/^\/+/, "") === file.name;

    const send = async (): Promise<void> => {
      const socket = await data;
      say("150 here it comes");
      // A reader that has enough closes the connection.
      const whole = await new Promise<boolean>((resolve) => {
        socket?.once("close", () => resolve(socket.writableFinished)).end(bytes.subarray(from));
      });
      from = 0;
      say(whole ? "226 sent" : "426 not all of it was wanted");
    };

    const answer = async (command: string, argument: string): Promise<unknown> => {
      if (command === "USER") return say(`331 ${(user = argument)}, and a password`);
      if (command === "PASS") {
        isIn = user === file.user && argument === file.password;
        return say(isIn ? "230 welcome" : "530 Login incorrect");
      }
      if (command === "QUIT") return control.end("221 bye\r\n");
      if (["PBSZ", "PROT", "TYPE"].includes(command)) return say("200 as you like");
      if (!isIn) return say("530 who are you?");
      if (command === "PWD") return say('257 "/"');
      if (command === "CWD")
        return say(`250 ${(folder = argument.startsWith("/") ? argument : `${folder}/${argument}`)}`);
      if (command === "REST") return say(`350 from ${(from = Number(argument))}`);
      if (command === "EPSV") {
        let connected: (socket: Socket) => void = () => undefined;
        data = new Promise((resolve) => (connected = resolve));
        const [server, port] = await listen(file.tls, (socket) => {
          open(socket);
          server.close();
          connected(socket);
        });
        return say(`229 there (|||${port}|)`);
      }
      if (command === "SIZE" || command === "RETR") {
        if (!isFile(argument)) return say("550 no such file");
        return command === "SIZE" ? say(`213 ${bytes.length}`) : send();
      }
      return say("502 never heard of it");
    };

    open(control);
    say("220 ready");
    let text = "";
    control.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      for (let end = text.indexOf("\r\n"); end !== -1; end = text.indexOf("\r\n")) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        heard.push(line);
        const [command = "", ...words] = line.split(" ");
        void answer(command.toUpperCase(), words.join(" "));
      }
    });
  };

  const [server, port] = await listen(file.tls, converse);
  return {
    port,
    heard,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
