-- The tracker: users and their profiles, projects, tasks, and who works on which project.
-- migrate:up

create type project_status as enum ('active', 'completed', 'archived');
create type task_status as enum ('pending', 'in_progress', 'completed', 'cancelled');
create type member_role as enum ('owner', 'admin', 'member');

create table users (
  id text,
  email text not null,
  full_name text not null,
  password_hash text not null,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  deleted_at timestamp with time zone,
  deleted_by text,
  constraint users_pkey primary key (id),
  constraint users_full_name_not_blank check (length(btrim(full_name)) > 0)
);

-- One to one: the user's key is the profile's key.
create table user_profiles (
  user_id text,
  avatar_url text,
  bio text,
  phone text,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  deleted_at timestamp with time zone,
  deleted_by text,
  constraint user_profiles_pkey primary key (user_id),
  constraint user_profiles_user_id_users_id_fk foreign key (user_id) references users (id) on delete cascade
);

create table projects (
  id text,
  name text not null,
  description text,
  status project_status not null default 'active',
  owner_id text not null,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  created_by text,
  updated_by text,
  deleted_at timestamp with time zone,
  deleted_by text,
  constraint projects_pkey primary key (id),
  constraint projects_owner_id_users_id_fk foreign key (owner_id) references users (id) on delete restrict,
  constraint projects_name_not_blank check (length(btrim(name)) > 0)
);

-- One to many: a project has tasks.
create table tasks (
  id text,
  project_id text not null,
  title text not null,
  description text,
  priority integer not null default 1,
  status task_status not null default 'pending',
  due_date date,
  assigned_to text,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  created_by text,
  updated_by text,
  deleted_at timestamp with time zone,
  deleted_by text,
  constraint tasks_pkey primary key (id),
  constraint tasks_project_id_projects_id_fk foreign key (project_id) references projects (id) on delete cascade,
  constraint tasks_assigned_to_users_id_fk foreign key (assigned_to) references users (id) on delete set null,
  constraint tasks_title_not_blank check (length(btrim(title)) > 0),
  constraint tasks_priority_range check (priority between 1 and 5)
);

-- Many to many: users work on projects.
create table project_members (
  project_id text,
  user_id text,
  role member_role not null default 'member',
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  deleted_at timestamp with time zone,
  deleted_by text,
  constraint project_members_pkey primary key (project_id, user_id),
  constraint project_members_project_id_projects_id_fk foreign key (project_id) references projects (id) on delete cascade,
  constraint project_members_user_id_users_id_fk foreign key (user_id) references users (id) on delete cascade
);

-- An email belongs to one living user; a dead one's can be used again.
create unique index users_email_unique on users (email) where deleted_at is null;

-- Lists come newest first; foreign keys have no index by themselves.
create index users_created_at_idx on users (created_at desc);
create index projects_owner_id_idx on projects (owner_id);
create index projects_created_at_idx on projects (created_at desc);
create index tasks_project_id_idx on tasks (project_id);
create index tasks_assigned_to_idx on tasks (assigned_to);
create index tasks_status_idx on tasks (status);
create index tasks_created_at_idx on tasks (created_at desc);
create index project_members_user_id_idx on project_members (user_id);

-- updated_at is kept here, so that every client keeps it.
create function touch_updated_at() returns trigger language plpgsql as $$
begin
  new."updated_at" = now();
  return new;
end;
$$;

create trigger users_touch before update on users
  for each row execute function touch_updated_at();
create trigger user_profiles_touch before update on user_profiles
  for each row execute function touch_updated_at();
create trigger projects_touch before update on projects
  for each row execute function touch_updated_at();
create trigger tasks_touch before update on tasks
  for each row execute function touch_updated_at();
create trigger project_members_touch before update on project_members
  for each row execute function touch_updated_at();

-- A row that dies is locked as a real DELETE would lock it, so that nobody adds a child unseen.
create function users_lock_delete() returns trigger language plpgsql set search_path from current as $$
begin
  if old."deleted_at" is null and new."deleted_at" is not null then
    perform from "users" where "id" = old."id" for update;
  end if;
  return new;
end;
$$;

create trigger users_lock_delete before update of deleted_at on users
  for each row execute function users_lock_delete();

create function projects_lock_delete() returns trigger language plpgsql set search_path from current as $$
begin
  if old."deleted_at" is null and new."deleted_at" is not null then
    perform from "projects" where "id" = old."id" for update;
  end if;
  return new;
end;
$$;

create trigger projects_lock_delete before update of deleted_at on projects
  for each row execute function projects_lock_delete();

-- Children follow their foreign key's ON DELETE when a row is soft-deleted, and come back when it is restored.
create function users_follow_delete() returns trigger language plpgsql set search_path from current as $$
begin
  if old."deleted_at" is null and new."deleted_at" is not null then
    update "project_members" set "deleted_at" = new."deleted_at", "deleted_by" = new."deleted_by"
      where "user_id" = new."id" and "deleted_at" is null;
    if exists (select from "projects" where "owner_id" = new."id" and "deleted_at" is null) then
      raise exception using errcode = 'restrict_violation', schema = tg_table_schema, table = 'projects',
        constraint = 'projects_owner_id_users_id_fk', message = 'rows of "projects" still refer to the row of "users"';
    end if;
    update "tasks" set "assigned_to" = null where "assigned_to" = new."id";
    update "user_profiles" set "deleted_at" = new."deleted_at", "deleted_by" = new."deleted_by"
      where "user_id" = new."id" and "deleted_at" is null;
  elsif old."deleted_at" is not null and new."deleted_at" is null then
    update "project_members" set "deleted_at" = null, "deleted_by" = null
      where "user_id" = new."id"
        and "project_members"."deleted_at" = old."deleted_at"
        and ("project_members"."project_id" is null or exists (select from "projects" other where other."id" = "project_members"."project_id" and other."deleted_at" is null));
    update "user_profiles" set "deleted_at" = null, "deleted_by" = null
      where "user_id" = new."id"
        and "user_profiles"."deleted_at" = old."deleted_at";
  end if;
  return null;
end;
$$;

create trigger users_follow_delete after update of deleted_at on users
  for each row execute function users_follow_delete();

create function projects_follow_delete() returns trigger language plpgsql set search_path from current as $$
begin
  if old."deleted_at" is null and new."deleted_at" is not null then
    update "project_members" set "deleted_at" = new."deleted_at", "deleted_by" = new."deleted_by"
      where "project_id" = new."id" and "deleted_at" is null;
    update "tasks" set "deleted_at" = new."deleted_at", "deleted_by" = new."deleted_by"
      where "project_id" = new."id" and "deleted_at" is null;
  elsif old."deleted_at" is not null and new."deleted_at" is null then
    update "project_members" set "deleted_at" = null, "deleted_by" = null
      where "project_id" = new."id"
        and "project_members"."deleted_at" = old."deleted_at"
        and ("project_members"."user_id" is null or exists (select from "users" other where other."id" = "project_members"."user_id" and other."deleted_at" is null));
    update "tasks" set "deleted_at" = null, "deleted_by" = null
      where "project_id" = new."id"
        and "tasks"."deleted_at" = old."deleted_at"
        and ("tasks"."assigned_to" is null or exists (select from "users" other where other."id" = "tasks"."assigned_to" and other."deleted_at" is null));
  end if;
  return null;
end;
$$;

create trigger projects_follow_delete after update of deleted_at on projects
  for each row execute function projects_follow_delete();

-- A living row refers to living rows only.
create function user_profiles_living_parent_of_new() returns trigger language plpgsql set search_path from current as $$
begin
  if exists (select from new_rows child where child."deleted_at" is null and child."user_id" is not null
    and not exists (select from "users" parent where parent."id" = child."user_id" and parent."deleted_at" is null)) then
    raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,
      constraint = 'user_profiles_user_id_users_id_fk', column = 'user_id',
      message = 'the row of "users" it refers to does not exist';
  end if;
  return null;
end;
$$;

create trigger user_profiles_living_parent_of_new after insert on user_profiles
  referencing new table as new_rows for each statement execute function user_profiles_living_parent_of_new();

create function user_profiles_living_parent() returns trigger language plpgsql set search_path from current as $$
begin
  if new."deleted_at" is not null then
    return null;
  end if;
  if new."user_id" is not null then
    perform from "users" where "id" = new."user_id" and "deleted_at" is null for key share;
    if not found then
      raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,
        constraint = 'user_profiles_user_id_users_id_fk', column = 'user_id',
        message = 'the row of "users" it refers to does not exist';
    end if;
  end if;
  return null;
end;
$$;

create trigger user_profiles_living_parent after update of user_id, deleted_at on user_profiles
  for each row execute function user_profiles_living_parent();

create function projects_living_parent_of_new() returns trigger language plpgsql set search_path from current as $$
begin
  if exists (select from new_rows child where child."deleted_at" is null and child."owner_id" is not null
    and not exists (select from "users" parent where parent."id" = child."owner_id" and parent."deleted_at" is null)) then
    raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,
      constraint = 'projects_owner_id_users_id_fk', column = 'owner_id',
      message = 'the row of "users" it refers to does not exist';
  end if;
  return null;
end;
$$;

create trigger projects_living_parent_of_new after insert on projects
  referencing new table as new_rows for each statement execute function projects_living_parent_of_new();

create function projects_living_parent() returns trigger language plpgsql set search_path from current as $$
begin
  if new."deleted_at" is not null then
    return null;
  end if;
  if new."owner_id" is not null then
    perform from "users" where "id" = new."owner_id" and "deleted_at" is null for key share;
    if not found then
      raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,
        constraint = 'projects_owner_id_users_id_fk', column = 'owner_id',
        message = 'the row of "users" it refers to does not exist';
    end if;
  end if;
  return null;
end;
$$;

create trigger projects_living_parent after update of owner_id, deleted_at on projects
  for each row execute function projects_living_parent();

create function tasks_living_parent_of_new() returns trigger language plpgsql set search_path from current as $$
begin
  if exists (select from new_rows child where child."deleted_at" is null and child."project_id" is not null
    and not exists (select from "projects" parent where parent."id" = child."project_id" and parent."deleted_at" is null)) then
    raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,
      constraint = 'tasks_project_id_projects_id_fk', column = 'project_id',
      message = 'the row of "projects" it refers to does not exist';
  end if;
  if exists (select from new_rows child where child."deleted_at" is null and child."assigned_to" is not null
    and not exists (select from "users" parent where parent."id" = child."assigned_to" and parent."deleted_at" is null)) then
    raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,
      constraint = 'tasks_assigned_to_users_id_fk', column = 'assigned_to',
      message = 'the row of "users" it refers to does not exist';
  end if;
  return null;
end;
$$;

create trigger tasks_living_parent_of_new after insert on tasks
  referencing new table as new_rows for each statement execute function tasks_living_parent_of_new();

create function tasks_living_parent() returns trigger language plpgsql set search_path from current as $$
begin
  if new."deleted_at" is not null then
    return null;
  end if;
  if new."project_id" is not null then
    perform from "projects" where "id" = new."project_id" and "deleted_at" is null for key share;
    if not found then
      raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,
        constraint = 'tasks_project_id_projects_id_fk', column = 'project_id',
        message = 'the row of "projects" it refers to does not exist';
    end if;
  end if;
  if new."assigned_to" is not null then
    perform from "users" where "id" = new."assigned_to" and "deleted_at" is null for key share;
    if not found then
      raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,
        constraint = 'tasks_assigned_to_users_id_fk', column = 'assigned_to',
        message = 'the row of "users" it refers to does not exist';
    end if;
  end if;
  return null;
end;
$$;

create trigger tasks_living_parent after update of project_id, assigned_to, deleted_at on tasks
  for each row execute function tasks_living_parent();

create function project_members_living_parent_of_new() returns trigger language plpgsql set search_path from current as $$
begin
  if exists (select from new_rows child where child."deleted_at" is null and child."project_id" is not null
    and not exists (select from "projects" parent where parent."id" = child."project_id" and parent."deleted_at" is null)) then
    raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,
      constraint = 'project_members_project_id_projects_id_fk', column = 'project_id',
      message = 'the row of "projects" it refers to does not exist';
  end if;
  if exists (select from new_rows child where child."deleted_at" is null and child."user_id" is not null
    and not exists (select from "users" parent where parent."id" = child."user_id" and parent."deleted_at" is null)) then
    raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,
      constraint = 'project_members_user_id_users_id_fk', column = 'user_id',
      message = 'the row of "users" it refers to does not exist';
  end if;
  return null;
end;
$$;

create trigger project_members_living_parent_of_new after insert on project_members
  referencing new table as new_rows for each statement execute function project_members_living_parent_of_new();

create function project_members_living_parent() returns trigger language plpgsql set search_path from current as $$
begin
  if new."deleted_at" is not null then
    return null;
  end if;
  if new."project_id" is not null then
    perform from "projects" where "id" = new."project_id" and "deleted_at" is null for key share;
    if not found then
      raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,
        constraint = 'project_members_project_id_projects_id_fk', column = 'project_id',
        message = 'the row of "projects" it refers to does not exist';
    end if;
  end if;
  if new."user_id" is not null then
    perform from "users" where "id" = new."user_id" and "deleted_at" is null for key share;
    if not found then
      raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,
        constraint = 'project_members_user_id_users_id_fk', column = 'user_id',
        message = 'the row of "users" it refers to does not exist';
    end if;
  end if;
  return null;
end;
$$;

create trigger project_members_living_parent after update of project_id, user_id, deleted_at on project_members
  for each row execute function project_members_living_parent();

-- migrate:down
drop table project_members, tasks, projects, user_profiles, users;

drop function project_members_living_parent();
drop function project_members_living_parent_of_new();
drop function tasks_living_parent();
drop function tasks_living_parent_of_new();
drop function projects_living_parent();
drop function projects_living_parent_of_new();
drop function user_profiles_living_parent();
drop function user_profiles_living_parent_of_new();
drop function projects_follow_delete();
drop function users_follow_delete();
drop function projects_lock_delete();
drop function users_lock_delete();
drop function touch_updated_at();

drop type member_role;
drop type task_status;
drop type project_status;
