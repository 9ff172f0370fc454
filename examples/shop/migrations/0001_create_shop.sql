-- loses: books (data)
-- loses: loans (data)
-- loses: order_items (data)
-- loses: orders (data)
-- loses: products (data)
-- loses: transfers (data)
-- loses: wallets (data)

-- migrate:up

create type order_status as enum ('pending', 'paid', 'canceled');

create table books (
  id text,
  title text not null,
  available integer not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint books_pkey primary key (id),
  constraint books_available_not_negative check (available >= 0)
);

create table loans (
  id text,
  book_id text not null,
  reader text not null,
  borrowed_at timestamp with time zone default now() not null,
  returned_at timestamp with time zone,
  constraint loans_pkey primary key (id)
);

create table order_items (
  id text,
  order_id text not null,
  product_id text not null,
  quantity integer not null,
  price_cents bigint not null,
  constraint order_items_pkey primary key (id),
  constraint order_items_quantity_positive check (quantity > 0)
);

create table orders (
  id text,
  customer text not null,
  status order_status default 'pending'::order_status not null,
  total_cents bigint not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint orders_pkey primary key (id)
);

create table products (
  id text,
  name text not null,
  price_cents bigint not null,
  stock integer default 0 not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint products_pkey primary key (id),
  constraint products_price_not_negative check (price_cents >= 0),
  constraint products_stock_not_negative check (stock >= 0)
);

create table transfers (
  id text,
  from_id text not null,
  to_id text not null,
  amount_cents bigint not null,
  created_at timestamp with time zone default now() not null,
  constraint transfers_pkey primary key (id),
  constraint transfers_amount_positive check (amount_cents > 0),
  constraint transfers_between_two check (from_id <> to_id)
);

create table wallets (
  id text,
  owner text not null,
  balance_cents bigint default 0 not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint wallets_pkey primary key (id),
  constraint wallets_owner_unique unique (owner),
  constraint wallets_balance_not_negative check (balance_cents >= 0)
);

create unique index loans_open on loans (book_id, reader) where returned_at is null;

create index loans_reader_idx on loans (reader);

create index order_items_order_id_idx on order_items (order_id);

create index order_items_product_id_idx on order_items (product_id);

create index transfers_from_id_created_at_idx on transfers (from_id, created_at);

create index transfers_to_id_created_at_idx on transfers (to_id, created_at);

alter table loans add constraint loans_book_id_books_id_fk foreign key (book_id) references books(id) on delete restrict;

alter table order_items add constraint order_items_order_id_orders_id_fk foreign key (order_id) references orders(id) on delete cascade;

alter table order_items add constraint order_items_product_id_products_id_fk foreign key (product_id) references products(id) on delete restrict;

alter table transfers add constraint transfers_from_id_wallets_id_fk foreign key (from_id) references wallets(id) on delete restrict;

alter table transfers add constraint transfers_to_id_wallets_id_fk foreign key (to_id) references wallets(id) on delete restrict;

create function touch_updated_at()
 returns trigger
 language plpgsql
as $function$
begin
  new."updated_at" = now();
  return new;
end;
$function$;

create trigger books_touch before update on books for each row execute function touch_updated_at();

create trigger orders_touch before update on orders for each row execute function touch_updated_at();

create trigger products_touch before update on products for each row execute function touch_updated_at();

create trigger wallets_touch before update on wallets for each row execute function touch_updated_at();

-- migrate:down

drop table loans;

drop table books;

drop table order_items;

drop table orders;

drop table products;

drop table transfers;

drop table wallets;

drop function touch_updated_at();

drop type order_status;
