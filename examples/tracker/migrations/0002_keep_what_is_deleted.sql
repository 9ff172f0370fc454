-- migrate:up

create function project_members_delete_softly()
 returns trigger
 language plpgsql
 set search_path from current
as $function$
begin
  if current_setting('plinth.purging', true) in ('on', extract(epoch from statement_timestamp())::text) then
    return old;
  end if;
  if old."deleted_at" is null then
    update "project_members" set "deleted_at" = clock_timestamp(), "deleted_by" = nullif(current_setting('plinth.user_id', true), '') where "project_id" = old."project_id" and "user_id" = old."user_id";
    if not found then
      raise exception using errcode = 'insufficient_privilege', schema = tg_table_schema, table = tg_table_name,
        message = 'a row of "project_members" is deleted by stamping it, and a policy keeps this role from that';
    end if;
  end if;
  return null;
end;
$function$;

create function projects_delete_softly()
 returns trigger
 language plpgsql
 set search_path from current
as $function$
begin
  if current_setting('plinth.purging', true) in ('on', extract(epoch from statement_timestamp())::text) then
    return old;
  end if;
  if old."deleted_at" is null then
    update "projects" set "deleted_at" = clock_timestamp(), "deleted_by" = nullif(current_setting('plinth.user_id', true), '') where "id" = old."id";
    if not found then
      raise exception using errcode = 'insufficient_privilege', schema = tg_table_schema, table = tg_table_name,
        message = 'a row of "projects" is deleted by stamping it, and a policy keeps this role from that';
    end if;
  end if;
  return null;
end;
$function$;

create function refuse_truncate()
 returns trigger
 language plpgsql
 set search_path from current
as $function$
begin
  if current_setting('plinth.purging', true) in ('on', extract(epoch from statement_timestamp())::text) then
    return null;
  end if;
  raise exception using errcode = 'insufficient_privilege', schema = tg_table_schema, table = tg_table_name,
    message = format('rows of "%s" are stamped when they are deleted, and TRUNCATE would remove them for good', tg_table_name),
    hint = 'Use DELETE. To remove them for good: begin; set local plinth.purging = ''on''; truncate …; commit.';
end;
$function$;

create function tasks_delete_softly()
 returns trigger
 language plpgsql
 set search_path from current
as $function$
begin
  if current_setting('plinth.purging', true) in ('on', extract(epoch from statement_timestamp())::text) then
    return old;
  end if;
  if old."deleted_at" is null then
    update "tasks" set "deleted_at" = clock_timestamp(), "deleted_by" = nullif(current_setting('plinth.user_id', true), '') where "id" = old."id";
    if not found then
      raise exception using errcode = 'insufficient_privilege', schema = tg_table_schema, table = tg_table_name,
        message = 'a row of "tasks" is deleted by stamping it, and a policy keeps this role from that';
    end if;
  end if;
  return null;
end;
$function$;

create function user_profiles_delete_softly()
 returns trigger
 language plpgsql
 set search_path from current
as $function$
begin
  if current_setting('plinth.purging', true) in ('on', extract(epoch from statement_timestamp())::text) then
    return old;
  end if;
  if old."deleted_at" is null then
    update "user_profiles" set "deleted_at" = clock_timestamp(), "deleted_by" = nullif(current_setting('plinth.user_id', true), '') where "user_id" = old."user_id";
    if not found then
      raise exception using errcode = 'insufficient_privilege', schema = tg_table_schema, table = tg_table_name,
        message = 'a row of "user_profiles" is deleted by stamping it, and a policy keeps this role from that';
    end if;
  end if;
  return null;
end;
$function$;

create function users_delete_softly()
 returns trigger
 language plpgsql
 set search_path from current
as $function$
begin
  if current_setting('plinth.purging', true) in ('on', extract(epoch from statement_timestamp())::text) then
    return old;
  end if;
  if old."deleted_at" is null then
    update "users" set "deleted_at" = clock_timestamp(), "deleted_by" = nullif(current_setting('plinth.user_id', true), '') where "id" = old."id";
    if not found then
      raise exception using errcode = 'insufficient_privilege', schema = tg_table_schema, table = tg_table_name,
        message = 'a row of "users" is deleted by stamping it, and a policy keeps this role from that';
    end if;
  end if;
  return null;
end;
$function$;

create view living_project_members with (security_invoker=true) as
select project_id,
    user_id,
    role,
    created_at,
    updated_at
   from project_members
  where (deleted_at is null);

create view living_projects with (security_invoker=true) as
select id,
    name,
    description,
    status,
    owner_id,
    created_at,
    updated_at,
    created_by,
    updated_by
   from projects
  where (deleted_at is null);

create view living_tasks with (security_invoker=true) as
select id,
    project_id,
    title,
    description,
    priority,
    status,
    due_date,
    assigned_to,
    created_at,
    updated_at,
    created_by,
    updated_by
   from tasks
  where (deleted_at is null);

create view living_user_profiles with (security_invoker=true) as
select user_id,
    avatar_url,
    bio,
    phone,
    created_at,
    updated_at
   from user_profiles
  where (deleted_at is null);

create view living_users with (security_invoker=true) as
select id,
    email,
    full_name,
    password_hash,
    created_at,
    updated_at
   from users
  where (deleted_at is null);

create trigger project_members_delete_softly before delete on project_members for each row execute function project_members_delete_softly();

create trigger project_members_no_truncate before truncate on project_members for each statement execute function refuse_truncate();

create trigger projects_delete_softly before delete on projects for each row execute function projects_delete_softly();

create trigger projects_no_truncate before truncate on projects for each statement execute function refuse_truncate();

create trigger tasks_delete_softly before delete on tasks for each row execute function tasks_delete_softly();

create trigger tasks_no_truncate before truncate on tasks for each statement execute function refuse_truncate();

create trigger user_profiles_delete_softly before delete on user_profiles for each row execute function user_profiles_delete_softly();

create trigger user_profiles_no_truncate before truncate on user_profiles for each statement execute function refuse_truncate();

create trigger users_delete_softly before delete on users for each row execute function users_delete_softly();

create trigger users_no_truncate before truncate on users for each statement execute function refuse_truncate();

-- migrate:down

drop trigger project_members_delete_softly on project_members;

drop trigger project_members_no_truncate on project_members;

drop trigger projects_delete_softly on projects;

drop trigger projects_no_truncate on projects;

drop trigger tasks_delete_softly on tasks;

drop trigger tasks_no_truncate on tasks;

drop trigger user_profiles_delete_softly on user_profiles;

drop trigger user_profiles_no_truncate on user_profiles;

drop trigger users_delete_softly on users;

drop trigger users_no_truncate on users;

drop view living_project_members;

drop view living_projects;

drop view living_tasks;

drop view living_user_profiles;

drop view living_users;

drop function project_members_delete_softly();

drop function projects_delete_softly();

drop function refuse_truncate();

drop function tasks_delete_softly();

drop function user_profiles_delete_softly();

drop function users_delete_softly();
