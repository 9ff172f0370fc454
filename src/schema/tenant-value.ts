import { InputError, TenantError } from "../errors/index.ts";
import type { Actor, ParameterNode } from "../sql/index.ts";
import type { ColumnDescription, EntityDescription } from "./description.ts";

const UUID = /^[\da-f]{8}-?([\da-f]{4}-?){3}[\da-f]{12}$/i;
const WHOLE_NUMBER = /^-?\d{1,19}$/;

/**
 * The tenant that an actor stands for, as PostgreSQL's text.
 *
 * @throws {TENANT_REQUIRED} where the actor stands for none. Empty text is none: it is what a session says that knows none.
 * @throws {INVALID_VALUE} for a text that the tenant's column could not hold.
 */
export function tenantOf(entity: EntityDescription, actor: Actor | undefined): string {
  const { name, tenant } = entity;
  const tenantId = actor?.tenantId;
  if (tenantId === undefined || tenantId === "") throw new TenantError(name);
  if (tenant === undefined || fits(tenant, tenantId)) return tenantId;
  throw new InputError("INVALID_VALUE", [
    { path: "actor.tenantId", message: `must be ${tenant.castType}, as ${tenant.key} of "${name}" is` },
  ]);
}

function fits({ castType }: ColumnDescription, text: string): boolean {
  if (castType === "uuid") return UUID.test(text);
  return castType === "text" || castType === "varchar" || WHOLE_NUMBER.test(text);
}

const nodes = new WeakMap<EntityDescription, ParameterNode>();

/** The tenant of whoever makes the call: one parameter, however often a statement refers to the entity. */
export function tenantParameter(entity: EntityDescription): ParameterNode {
  const known = nodes.get(entity);
  if (known !== undefined) return known;
  const node: ParameterNode = {
    kind: "parameter",
    value: ({ actor }) => tenantOf(entity, actor),
    type: entity.tenant?.castType ?? "text",
    isOfActor: true,
  };
  nodes.set(entity, node);
  return node;
}
