/** What an editor shows for `hovered.ts`, asked of the compiler's own language server. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..", "..");
const path = join(import.meta.dirname, "hovered.ts");
const uri = pathToFileURL(path).href;
const text = readFileSync(path, "utf8");

let server: ChildProcessWithoutNullStreams;
const answers = new Map<number, (result: unknown) => void>();
let asked = 0;

/** JSON-RPC, each message after a line with its length: https://microsoft.github.io/language-server-protocol */
function send(message: object): void {
  const body = JSON.stringify({ jsonrpc: "2.0", ...message });
  server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

function ask<T>(method: string, params: object): Promise<T> {
  const id = ++asked;
  const answer = new Promise<T>((give) => answers.set(id, (result) => give(result as T)));
  send({ id, method, params });
  return answer;
}

function listen(): void {
  let rest = Buffer.alloc(0);
  server.stdout.on("data", (piece: Buffer) => {
    rest = Buffer.concat([rest, piece]);
    for (;;) {
      const head = rest.indexOf("\r\n\r\n");
      const length = Number(/Content-Length: (\d+)/i.exec(rest.toString("utf8", 0, head))?.[1]);
      if (head < 0 || rest.length < head + 4 + length) return;
      const message = JSON.parse(rest.toString("utf8", head + 4, head + 4 + length));
      rest = rest.subarray(head + 4 + length);
      // What the server asks of an editor (its settings, say) has no answer here.
      if (message.method !== undefined && message.id !== undefined) send({ id: message.id, result: null });
      else answers.get(message.id)?.(message.result);
    }
  });
}

interface Hover {
  readonly contents: { readonly value: string };
}

/** The type that an editor shows for a constant, on one line. */
async function shown(name: string): Promise<string> {
  const before = text.slice(0, text.search(new RegExp(`const ${name}\\b`)) + "const ".length).split("\n");
  const position = { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
  const { contents } = await ask<Hover>("textDocument/hover", { textDocument: { uri }, position });
  const code = /^```\w+\n(?:const|let|var) \w+: ([\s\S]*?)\n```/.exec(contents.value)?.[1] ?? contents.value;
  return code.replace(/\s+/g, " ");
}

beforeAll(async () => {
  server = spawn(join(root, "node_modules", ".bin", "tsc"), ["--lsp", "--stdio"], { cwd: root });
  listen();
  await ask("initialize", {
    processId: process.pid,
    rootUri: pathToFileURL(root).href,
    capabilities: { textDocument: { hover: { contentFormat: ["markdown"] } } },
  });
  send({ method: "initialized", params: {} });
  send({
    method: "textDocument/didOpen",
    params: { textDocument: { uri, languageId: "typescript", version: 1, text } },
  });
});

afterAll(async () => {
  await ask("shutdown", {});
  const ended = once(server, "exit");
  send({ method: "exit" });
  await ended;
});

describe("an editor", () => {
  it("shows rows, inputs and keys as plain objects", async () => {
    expect(await shown("row")).toBe("{ bookId: string; reader: string; dueOn: string | null; }");
    expect(await shown("input")).toBe(
      "{ bookId: string; reader: string; dueOn?: string | null | undefined; }",
    );
    expect(await shown("change")).toBe("{ dueOn?: string | null | undefined; }");
    expect(await shown("key")).toBe("{ bookId: string; reader: string; }");
  });

  it("shows what calls give as plain objects, with what was asked for and nothing else", async () => {
    expect(await shown("found")).toBe(
      "{ bookId: string; reader: string; dueOn: string | null; } | undefined",
    );
    expect(await shown("chosen")).toBe(
      "{ counts: { readonly books: number; }; id: string; bio: string | null; apiToken: string | null; }",
    );
    expect(await shown("nested")).toBe("{ id: string; books: { title: string; }[]; }");
    expect(await shown("created")).toBe("{ bookId: string; reader: string; dueOn: string | null; }");
    expect(await shown("summed")).toBe(
      "{ count: number; max: { dueOn: string | null; }; reader: string; }[]",
    );
  });
});
