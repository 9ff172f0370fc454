/** One fenced block of a Markdown text. */
export interface Snippet {
  readonly language: string;
  readonly text: string;
  /** The file a block shows: its first line is a comment that holds the name only, as `// schema.ts`. */
  readonly file: string | undefined;
}

export function snippetsOf(markdown: string): Snippet[] {
  return [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = "", text = ""]) => ({
    language,
    text,
    file: /^(?:\/\/|--) ([\w./-]+\.(?:ts|sql))\n/.exec(text)?.[1],
  }));
}

/** The commands of the `sh` blocks, comments left out, each with the `text` block that follows it. */
export function commandsOf(
  snippets: readonly Snippet[],
): { readonly command: string; readonly prints?: string }[] {
  return snippets.flatMap((snippet, index) => {
    if (snippet.language !== "sh") return [];
    const next = snippets[index + 1];
    const commands = snippet.text.split("\n").map((line) => line.replace(/#.*$/, "").trim());
    return commands.filter(Boolean).map((command, place, all) => ({
      command,
      ...(place === all.length - 1 && next?.language === "text" && { prints: next.text }),
    }));
  });
}
