import type { EntityDescription, Visibility } from "../schema/index.ts";
import type { PlanningContext, Scope } from "./context.ts";
import { type Copier, createCopier } from "./copy/copy.ts";
import { createHistorian, type Historian } from "./history/history.ts";
import { momentNode } from "./history/moment.ts";
import type { Intent } from "./intent.ts";
import { createReader, type Reader } from "./read.ts";
import { createSearcher, type SearchShape } from "./search.ts";
import { createStreamer, type Streamer } from "./stream.ts";
import { createWriter, type Writer } from "./write.ts";

/** What can be asked of an entity as one caller sees it, with the plans of what was asked before. */
export interface EntityCalls {
  readonly reader: Reader;
  readonly writer: Writer;
  readonly stream: Streamer;
  readonly copier: Copier;
  readonly historian: Historian | undefined;
  readonly search: ((text: unknown, options: SearchShape) => Intent<unknown>) | undefined;
}

export type PastCalls = Pick<EntityCalls, "reader" | "stream">;

/**
 * The calls of all entities of a database. A repository is made anew for a request or a transaction; its plans would be
 * too, and a statement costs some hundred times as much to plan as to look up.
 */
export class CallsByEntity {
  readonly #context: PlanningContext;
  readonly #known: Readonly<Record<Visibility, Map<EntityDescription, EntityCalls>>> = {
    living: new Map(),
    all: new Map(),
    dead: new Map(),
  };

  constructor(context: PlanningContext) {
    this.#context = context;
  }

  of(entity: EntityDescription, visibility: Visibility): EntityCalls {
    const known = this.#known[visibility];
    const calls = known.get(entity) ?? callsIn({ context: this.#context, entity, visibility });
    known.set(entity, calls);
    return calls;
  }

  /** The reads of an entity as of a moment. Planned anew for each moment; PostgreSQL meets the same texts. */
  asOf(entity: EntityDescription, visibility: Visibility, moment: unknown): PastCalls {
    const context = { ...this.#context, asOf: momentNode(moment) };
    const scope: Scope = { context, entity, visibility };
    return { reader: createReader(scope), stream: createStreamer(scope) };
  }
}

function callsIn(scope: Scope): EntityCalls {
  const { search, history } = scope.entity;
  const reader = createReader(scope);
  return {
    reader,
    writer: createWriter(scope, reader),
    stream: createStreamer(scope),
    copier: createCopier(scope),
    historian: history === undefined ? undefined : createHistorian(scope, history),
    search: search === undefined ? undefined : createSearcher(scope, search),
  };
}
