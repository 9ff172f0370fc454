import type { DomainCheck, DomainObject } from "../model.ts";
import { allowing } from "./allow.ts";
import { altering } from "./build.ts";
import { plainCheck } from "./constraint-text.ts";
import type { Ground } from "./ground.ts";
import { lowerCase, refTo, sqlName } from "./names.ts";
import { needsOf } from "./sides.ts";
import { RANK, type Step } from "./step.ts";

export function createDomain(domain: DomainObject): readonly string[] {
  const { type, collation, notNull, checks } = domain;
  const words = [
    `create domain ${refTo(domain)} as ${type}`,
    ...(collation === undefined ? [] : [`collate ${collation}`]),
    ...(domain.default === undefined ? [] : [`default ${lowerCase(domain.default)}`]),
    ...(notNull ? ["not null"] : []),
    ...checks.filter(({ isValid }) => isValid).map(clause),
  ];
  return [
    words.join(" "),
    ...checks
      .filter(({ isValid }) => !isValid)
      .map((check) => `alter domain ${refTo(domain)} add ${clause(check)} not valid`),
  ];
}

function clause({ name, definition }: DomainCheck): string {
  return `constraint ${sqlName(name)} ${plainCheck(lowerCase(definition))}`;
}

/** Default, NOT NULL and checks; new checks are tried on the rows apart from being there. */
export function alterDomain(
  ground: Ground,
  from: DomainObject,
  to: DomainObject,
  isRefreshed: boolean,
): readonly Step[] {
  const target = `alter domain ${refTo(to)}`;
  const kept = from.checks.filter((check) => to.checks.some((other) => isSameCheck(check, other)));
  const bare: DomainObject = isRefreshed
    ? { ...from, checks: [], default: undefined }
    : { ...from, checks: kept };
  const letGo = [
    ...from.checks
      .filter((check) => !bare.checks.includes(check))
      .map(({ name }) => `${target} drop constraint ${sqlName(name)}`),
    ...(from.default === bare.default ? [] : [setDefault(target, undefined)]),
  ];
  const { added, validated } = addChecks(ground, target, bare, to);
  const isUsed = ground.online && (ground.from.dependents.get(from.id) ?? []).length > 0;
  const allowed = (statement: string): string =>
    allowing(
      isUsed,
      "lock/domain-constraint",
      "PostgreSQL tries a domain's rules on the rows of every table",
      statement,
    );
  const changes = [
    ...(bare.default === to.default ? [] : [setDefault(target, to.default)]),
    ...(bare.notNull && !to.notNull ? [`${target} drop not null`] : []),
    ...(!bare.notNull && to.notNull ? [allowed(`${target} set not null`)] : []),
    ...added,
  ];
  const loosened = [`loosened ${to.id}`];
  return [
    { rank: RANK.dropConstraint, statements: letGo, frees: needsOf(from), makes: loosened },
    { ...altering(from, to, RANK.type, changes), needs: [...needsOf(to), ...loosened] },
    { rank: RANK.validate, statements: validated.map(allowed), needs: [to.id] },
  ];
}

function setDefault(target: string, value: string | undefined): string {
  return value === undefined ? `${target} drop default` : `${target} set default ${lowerCase(value)}`;
}

function isSameCheck(one: DomainCheck, other: DomainCheck): boolean {
  const isDowngraded = one.isValid && !other.isValid;
  return one.name === other.name && one.definition === other.definition && !isDowngraded;
}

function addChecks(
  ground: Ground,
  target: string,
  from: DomainObject,
  to: DomainObject,
): { readonly added: readonly string[]; readonly validated: readonly string[] } {
  const added: string[] = [];
  const validated: string[] = [];
  for (const check of to.checks) {
    const old = from.checks.find((other) => isSameCheck(other, check));
    const isLater = old !== undefined ? !old.isValid && check.isValid : ground.online && check.isValid;
    const isUnchecked = !check.isValid || isLater;
    if (old === undefined) added.push(`${target} add ${clause(check)}${isUnchecked ? " not valid" : ""}`);
    if (isLater) validated.push(`${target} validate constraint ${sqlName(check.name)}`);
  }
  return { added, validated };
}
