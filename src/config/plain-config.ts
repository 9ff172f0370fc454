import { readFileSync } from "node:fs";
import { compileFunction } from "node:vm";
import { defineConfig } from "./project-config.ts";

const DEFINE_CONFIG = /^import \{ defineConfig \} from ["']plinth["'];?$/m;
const DEFAULT_EXPORT = /^export default (?=defineConfig\(|\{)/m;

/** A config file whose only import is `defineConfig`: it need not load the whole of Plinth. */
export interface PlainConfig {
  readonly file: string;
  /** Without that import. */
  readonly text: string;
}

/** Undefined for any other file. */
export function readPlainConfig(file: string): PlainConfig | undefined {
  if (!/plinth\.config\.m?[jt]s$/.test(file)) return undefined;
  const whole = readFileSync(file, "utf8");
  const text = whole.replace(DEFINE_CONFIG, "");
  return text === whole || /\b(import|require|from)\b/.test(text) ? undefined : { file, text };
}

/**
 * Evaluates a plain config that is JavaScript, as most of them are, whatever their file's name: loading the transpiler
 * takes longer than all the rest of them. Undefined for TypeScript, and for one that fails: whoever loads it properly
 * says how.
 */
export function evaluatePlainConfig({ file, text }: PlainConfig): { readonly default: unknown } | undefined {
  // Type arguments are the one thing of TypeScript's that JavaScript may read as something else.
  if (!DEFAULT_EXPORT.test(text) || text.includes("<")) return undefined;
  const exported: { default: unknown } = { default: undefined };
  const body = `"use strict";${text.replace(DEFAULT_EXPORT, "plinthExported.default = ")}`;
  try {
    compileFunction(body, ["defineConfig", "plinthExported"], { filename: file })(defineConfig, exported);
    return exported;
  } catch {
    return undefined;
  }
}
