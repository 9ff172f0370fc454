import { describe, expect, it } from "vitest";
import { brokenLinks } from "./links.ts";
import { committedFiles, ROOT, withTree } from "./tree.ts";

describe("the documents", () => {
  it("link to files and headings that exist", () => {
    const documents = committedFiles().filter((path) => path.endsWith(".md"));
    expect(documents).toContain("README.md");
    expect(documents.flatMap((path) => brokenLinks(ROOT, path))).toEqual([]);
  });
});

describe("brokenLinks", () => {
  it("finds a missing file and a missing heading, and follows what exists", async () => {
    const files = {
      "docs/a.md":
        "[ok](b.md#the-pools-max) [up](../c.md) [here](#x) [web](https://example.org) `[code](no.md)`\n# X\n",
      "docs/b.md": "# B\n\n## The pool's `max`\n",
      "docs/broken.md": "[gone](gone.md) [no heading](b.md#gone) [self](#gone)\n```sh\n# gone\n```\n",
      "c.md": "",
    };
    await withTree(files, (root) => {
      expect(brokenLinks(root, "docs/a.md")).toEqual([]);
      expect(brokenLinks(root, "docs/broken.md")).toEqual([
        "docs/broken.md: gone.md",
        "docs/broken.md: b.md#gone",
        "docs/broken.md: #gone",
      ]);
    });
  });
});
