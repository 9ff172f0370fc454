-- Users and their snippets.
-- migrate:up

create table users (
  -- Internal: joined on, never shown.
  id bigint generated always as identity,
  -- What clients see.
  public_id text not null,
  email text not null,
  password_hash text not null,
  created_at timestamptz not null default now(),
  constraint users_pkey primary key (id),
  constraint users_public_id_unique unique (public_id),
  constraint users_email_unique unique (email)
);

create table snippets (
  id bigint generated always as identity,
  -- The short id in URLs; its unique index is what a snippet is looked up by.
  public_id text not null,
  owner_id bigint not null,
  title text,
  body text not null,
  language text not null default 'text',
  is_public boolean not null default false,
  view_count bigint not null default 0,
  created_at timestamptz not null default now(),
  constraint snippets_pkey primary key (id),
  constraint snippets_public_id_unique unique (public_id),
  constraint snippets_owner_id_users_id_fk foreign key (owner_id) references users (id),
  constraint snippets_body_not_empty check (length(body) > 0),
  constraint snippets_language_one_of check (
    language in ('text', 'bash', 'go', 'javascript', 'json', 'python', 'rust', 'sql', 'typescript')
  )
);

-- An owner's snippets, newest first: one range of this index, in its own order. It serves the foreign key too.
create index snippets_of_owner on snippets (owner_id, created_at desc, public_id desc);

-- migrate:down
drop table snippets;
drop table users;
