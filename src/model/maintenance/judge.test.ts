// Is each statement judged by what PostgreSQL's own manual says of its lock, and is what cannot be told left open?
import { describe, expect, it } from "vitest";
import { judgeSql } from "./judge.ts";

const judge = (sql: string) => {
  const [first] = judgeSql(sql);
  return `${first?.weight ?? "none"} ${first?.work ?? "-"} ${first?.relation?.name.join(".") ?? "-"}`;
};

describe("a statement", () => {
  it.each([
    ["VACUUM FULL t", "blocks rewrite t"],
    ["vacuum (full, analyze) s.t", "blocks rewrite s.t"],
    ["VACUUM (FULL false) t", "free - t"],
    ["VACUUM (ANALYZE) t", "free - t"],
    ["VACUUM", "free - -"],
    ["CLUSTER t USING i", "blocks rewrite t"],
    ["CREATE INDEX ON t (a)", "blocks index t"],
    ["create unique index if not exists i on only s.t using btree (a)", "blocks index s.t"],
    ["CREATE INDEX CONCURRENTLY i ON t (a)", "free - t"],
    ["CREATE /* CONCURRENTLY */ INDEX i ON t (a) -- CONCURRENTLY", "blocks index t"],
    ['CREATE INDEX concurrently ON "Big Table" (a)', "free - Big Table"],
    ["REINDEX TABLE t", "blocks index t"],
    ["REINDEX (CONCURRENTLY) INDEX i", "free - i"],
    ["REINDEX INDEX CONCURRENTLY i", "free - i"],
    ["DROP INDEX i", "brief - -"],
    ["REFRESH MATERIALIZED VIEW v", "blocks rewrite v"],
    ["REFRESH MATERIALIZED VIEW CONCURRENTLY v", "free - v"],
    ["TRUNCATE TABLE t", "brief - t"],
    ["UPDATE t SET a = 1", "free - -"],
    ["COMMENT ON TABLE t IS 'x'", "free - -"],
    ["CREATE TABLE n (a int)", "free - -"],
    ["CREATE TABLE n (a int REFERENCES t)", "brief - -"],
    ["CREATE TABLE n PARTITION OF t FOR VALUES FROM (0) TO (1)", "brief - -"],
    ["LOCK TABLE t", "unknown - t"],
    ["DO $$ BEGIN PERFORM 1; END $$", "unknown - -"],
    ["CALL p()", "unknown - -"],
  ])("%s", (sql, judged) => {
    expect(judge(sql)).toBe(judged);
  });

  it.each([
    ["ADD COLUMN a int", "brief - t"],
    ["ADD COLUMN a int DEFAULT 0", "brief - t"],
    ["ADD COLUMN a int DEFAULT 0 CHECK (a >= 0)", "blocks scan t"],
    ["ADD COLUMN a int CHECK (a >= 0)", "blocks scan t"],
    ["ADD COLUMN a int REFERENCES o", "brief - t"],
    ["ADD COLUMN a int DEFAULT 0 REFERENCES o", "blocks scan t"],
    ["ADD CONSTRAINT c NOT NULL a", "blocks scan t"],
    ["ADD CONSTRAINT c NOT NULL a NOT VALID", "brief - t"],
    ["ADD COLUMN a timestamptz DEFAULT now()", "brief - t"],
    ["ADD a uuid DEFAULT gen_random_uuid()", "blocks rewrite t"],
    ["ADD COLUMN a bigserial", "blocks rewrite t"],
    ["ADD COLUMN a int GENERATED ALWAYS AS IDENTITY", "blocks rewrite t"],
    ["ADD COLUMN a int GENERATED ALWAYS AS (b + 1) STORED", "blocks rewrite t"],
    ["ADD COLUMN a int UNIQUE", "blocks index t"],
    ["ALTER COLUMN a TYPE bigint", "blocks rewrite t"],
    ["ALTER a SET DATA TYPE text", "blocks rewrite t"],
    ["ALTER COLUMN a SET NOT NULL", "blocks scan t"],
    ["ALTER COLUMN a SET DEFAULT 1", "brief - t"],
    ["ADD CONSTRAINT c CHECK (a > 0)", "blocks scan t"],
    ["ADD CONSTRAINT c CHECK (a > 0) NOT VALID", "brief - t"],
    ["ADD FOREIGN KEY (a) REFERENCES o", "blocks scan t"],
    ["ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES o NOT VALID", "brief - t"],
    ["VALIDATE CONSTRAINT c", "free scan t"],
    ["ADD PRIMARY KEY (a)", "blocks index t"],
    ["ADD CONSTRAINT c PRIMARY KEY USING INDEX i", "brief - t"],
    ["SET TABLESPACE x", "blocks rewrite t"],
    ["SET (fillfactor = 50)", "brief - t"],
    ["SET LOGGED", "blocks rewrite t"],
    ["DETACH PARTITION p", "brief - t"],
    ["DETACH PARTITION p CONCURRENTLY", "free - t"],
    ["DROP COLUMN a, ALTER COLUMN b TYPE bigint", "blocks rewrite t"],
    ["DROP COLUMN a, DROP COLUMN b", "brief - t"],
  ])("ALTER TABLE t %s", (action, judged) => {
    expect(judge(`ALTER TABLE IF EXISTS ONLY t ${action}`)).toBe(judged);
  });

  it("has a form that does not block wherever it blocks and one exists, and that form is free", () => {
    const blocking = ["VACUUM FULL t", "CREATE INDEX ON t (a)", "REINDEX TABLE t", "CLUSTER t"];
    for (const sql of blocking) expect(judgeSql(sql)[0]?.instead).toBeDefined();
  });

  it("locks rows against others who want them, whichever lock on rows it asks for", () => {
    for (const lock of ["UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"])
      expect(judgeSql(`SELECT a FROM t FOR ${lock}`)[0]?.holds).toContain("the same rows");
  });

  it("says what it does not know of it", () => {
    expect(judgeSql("ALTER TABLE t ALTER a TYPE text")[0]?.doubt).toContain("varchar to text");
    expect(judgeSql("ALTER TABLE t ADD a int DEFAULT f()")[0]?.doubt).toContain("if f answers");
  });

  it("is one of several, each judged by itself", () => {
    const judged = judgeSql("BEGIN; SELECT ';'; VACUUM FULL t;; COMMIT");
    expect(judged.map(({ what }) => what)).toEqual(["BEGIN", "SELECT", "VACUUM FULL", "COMMIT"]);
  });
});
