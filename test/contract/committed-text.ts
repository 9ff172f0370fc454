/** What no committed file may hold, and why. */
const FORBIDDEN: readonly { readonly text: RegExp; readonly why: string }[] = [
  {
    // A folder of somebody's machine, not a route such as `/v1/users` or a system path such as `/usr/lib`.
    text: /(?<![\w.~$}\]-])\/(?:home|Users|root|work|mnt|media|workspaces?)\/[\w.-]+/g,
    why: "a path of one machine",
  },
  { text: /[A-Z]:\\+Users\\+\w+/g, why: "a path of one machine" },
  { text: /https?:\/\/registry\.(?!example\.test)[\w.-]+/g, why: "the address of a package registry" },
  { text: /https?:\/\/\S+\/-\/[\w.-]+\.tgz/g, why: "the address of a package registry" },
  { text: /^\s*(?:@[\w-]+:)?registry\s*=/gm, why: "the address of a package registry" },
];

/** What is wrong with the text of a file, as `path: what (why)`. */
export function checkCommittedText(path: string, text: string): string[] {
  return FORBIDDEN.flatMap(({ text: pattern, why }) =>
    [...text.matchAll(pattern)].map(([found]) => `${path}: ${found.trim()} (${why})`),
  );
}

/** What is wrong with the text of a test file. */
export function checkTestText(path: string, text: string): string[] {
  // `)(` is the call of what `it.each(table)` returned.
  const names = [...text.matchAll(/(?:\b(?:describe|it|test)(?:\.\w+)*|\))\(\s*(["'`])((?:(?!\1).)*)\1/g)];
  const claims = names.filter(([, , name]) => /\bshould\b/i.test(name ?? ""));
  const switched = text.matchAll(/\b(?:describe|it|test)\.(?:only|skip|todo|skipIf|runIf|fails)\b/g);
  return [
    ...claims.map(([, , name]) => `${path}: "${name}" wishes; say what happens`),
    ...[...switched].map(([found]) => `${path}: ${found}`),
  ];
}
