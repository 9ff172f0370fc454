/** A command as its help, or its section of the reference, shows it. */
export interface CommandSurface {
  /** `plinth migrate up` */
  readonly name: string;
  /** `--json`, …, sorted. */
  readonly flags: readonly string[];
}

/** The subcommands a help text lists. */
export function subcommandsOf(help: string): string[] {
  const [, list = ""] = /^Commands:\n((?: {2,}.*\n?|\n)*)/m.exec(help) ?? [];
  return [...list.matchAll(/^ {2}([a-z][a-z-]*)/gm)]
    .map(([, name = ""]) => name)
    .filter((name) => name !== "help");
}

/** The long flags of a text. `--help` goes without saying. */
export function flagsOf(text: string): string[] {
  const flags = [...text.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g)].map(([flag]) => flag);
  return [...new Set(flags)].filter((flag) => flag !== "--help").sort();
}

/** Every command that does something, found by asking each for its help. `help` runs `plinth … --help`. */
export function commandsOf(
  help: (words: readonly string[]) => string,
  words: readonly string[] = [],
): CommandSurface[] {
  const text = help(words);
  const inner = subcommandsOf(text);
  if (inner.length > 0) return inner.flatMap((name) => commandsOf(help, [...words, name]));
  const [, options = ""] = /^Options:\n([\s\S]*)/m.exec(text) ?? [];
  // The first column only: a description may mention another command's flag.
  const own = options.match(/^ +(?:-\w, )?--[a-z-]+/gm) ?? [];
  return [{ name: ["plinth", ...words].join(" "), flags: flagsOf(own.join("\n")) }];
}

/** The sections of the reference: a heading that holds `plinth noun verb`, and the flags named in the text below. */
export function documentedCommands(markdown: string): CommandSurface[] {
  const sections = markdown.split(/^(?=#{1,6} )/m);
  return sections.flatMap((section) => {
    const [, name] = /^#{1,6} +`?(plinth(?: [a-z-]+)+)/.exec(section) ?? [];
    return name === undefined ? [] : [{ name, flags: flagsOf(section) }];
  });
}
