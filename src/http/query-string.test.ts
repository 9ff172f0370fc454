import { describe, expect, it } from "vitest";
import { z } from "zod";
import { InputError } from "../errors/index.ts";
import { calendarDay, pageLimit, pageNumber, sortKey, wholeNumber } from "./list-parameters.ts";
import { readQuery } from "./query-string.ts";

const schema = z.object({
  name: z.string().optional(),
  page: pageNumber().default(1),
  limit: pageLimit(),
  sort: sortKey(["name", "createdAt"]).default("-createdAt"),
  before: calendarDay().optional(),
  size: wholeNumber(3, 12).optional(),
});

const read = (search: string) => readQuery(new Request(`http://host/list${search}`), schema);

const complaintsOf = (search: string) => {
  try {
    read(search);
    return [];
  } catch (error) {
    if (!(error instanceof InputError) || error.code !== "INVALID_QUERY") throw error;
    return error.issues.map(({ path, message }) => `${path}: ${message}`);
  }
};

describe("readQuery", () => {
  it("gives the parameters, with defaults where none are given", () => {
    expect(read("")).toEqual({ page: 1, limit: 10, sort: "-createdAt" });
    expect(read("?")).toEqual(read("?&&"));
    expect(read("?name=a%20b+c&page=2&limit=100&sort=name&before=2024-02-29&size=12")).toEqual({
      name: "a b c",
      page: 2,
      limit: 100,
      sort: "name",
      before: "2024-02-29",
      size: 12,
    });
  });

  it("keeps %, = and & that are part of a value", () => {
    expect(read("?name=100%25%26a=b").name).toBe("100%&a=b");
  });

  it("refuses a parameter that is repeated, unknown or not text", () => {
    expect(complaintsOf("?name=a&name=a")).toEqual(["name: must be given once"]);
    expect(complaintsOf("?nmae=a")).toEqual(['nmae: unknown parameter "nmae"; did you mean "name"?']);
    expect(complaintsOf("?__proto__=a")).toHaveLength(1);
    expect(complaintsOf("?constructor=a&toString=b")).toHaveLength(2);
    expect(complaintsOf("?name=%zz")).toEqual(["name: is not valid percent-encoded UTF-8"]);
    expect(complaintsOf("?%ff=1")).toEqual([": is not valid percent-encoded UTF-8"]);
    expect(complaintsOf("?name=%ED%A0%80")).toEqual(["name: is not valid percent-encoded UTF-8"]);
    expect(complaintsOf("?name=a%00")).toEqual(["name: must not contain the NUL character"]);
  });
});

describe("pageNumber and pageLimit", () => {
  it.each(["0", "-1", "1.0", "1e3", "01", "", "%20", "1_000", "٣", "9".repeat(20)])(
    "refuse %j and say what is allowed",
    (value) => {
      expect(complaintsOf(`?page=${value}`)).toEqual([
        "page: must be a whole number from 1 to 999999999999999",
      ]);
      expect(complaintsOf(`?limit=${value}`)).toEqual(["limit: must be a whole number from 1 to 100"]);
    },
  );

  it("take their bounds", () => {
    expect(read("?page=999999999999999&limit=1")).toMatchObject({ page: 999_999_999_999_999, limit: 1 });
    expect(complaintsOf("?page=1000000000000000&limit=101")).toHaveLength(2);
  });
});

describe("wholeNumber", () => {
  it.each(["2", "13", "4.5", "x"])("refuses %s outside 3 to 12", (value) => {
    expect(complaintsOf(`?size=${value}`)).toEqual(["size: must be a whole number from 3 to 12"]);
  });
});

describe("sortKey", () => {
  it.each(["", "-", "--name", "Name", "name,createdAt", "name desc", "constructor"])(
    "refuses %j and lists what is allowed",
    (value) => {
      expect(complaintsOf(`?sort=${encodeURIComponent(value)}`)).toEqual([
        "sort: must be one of name, createdAt; with - in front for descending",
      ]);
    },
  );
});

describe("calendarDay", () => {
  it.each(["2023-02-29", "2024-2-1", "0000-01-01", "10000-01-01", "2024-01-01T00:00:00Z", "", "now"])(
    "refuses %j",
    (value) => {
      expect(complaintsOf(`?before=${value}`)).toEqual(["before: must be a day that exists, as YYYY-MM-DD"]);
    },
  );
});
