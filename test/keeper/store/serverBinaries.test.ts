import { expect } from "chai";
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { WorldFailure } from "../../../keeper/config/failure";
import { skip } from "../../skip";
import {
  binariesIn,
  embeddedBinaries,
  nativeFolder,
  reachable,
  serviceUser,
} from "../../../keeper/store/serverBinaries";

describe("the embedded server's binaries", function () {
  this.timeout(60_000);
  const root = process.getuid?.() === 0;
  const temporary = process.env["TMPDIR"];
  let folder: string;
  let closed: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-binaries-"));
    chmodSync(folder, 0o755);
    process.env["TMPDIR"] = path.join(folder, "tmp");
    mkdirSync(path.join(folder, "tmp"));
    closed = path.join(folder, "closed", "package");
  });
  afterEach(() => {
    if (temporary === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = temporary;
    rmSync(folder, { recursive: true, force: true });
  });

  /** npm's package in a folder that only root enters, without the links that its install script makes. */
  const closedCopy = (): string => {
    const source = path.dirname(nativeFolder());
    cpSync(source, closed, { recursive: true, filter: (file) => !lstatSync(file).isSymbolicLink() });
    chmodSync(path.join(folder, "closed"), 0o700);
    return path.join(closed, "native");
  };

  it("are npm's where npm put them", () => {
    expect(embeddedBinaries(null).postgres).to.equal(path.join(nativeFolder(), "bin", "postgres"));
    expect(embeddedBinaries(null).major).to.equal(18);
  });

  it("are copied once to where the server's user reaches them, with their links", function () {
    if (!root) skip(this, "only root starts the server as another user");
    const user = serviceUser(null);
    if (user === null) throw new Error("root has a service user");
    const native = closedCopy();
    expect(reachable(path.join(native, "bin", "postgres"), user)).to.equal(false);
    const copy = embeddedBinaries(user, native);
    expect(copy.postgres.startsWith(os.tmpdir())).to.equal(true);
    // Runs as that user: the libraries that it needs are found through the links.
    expect(execFileSync(copy.postgres, ["--version"], { encoding: "utf8", ...user })).to.contain("PostgreSQL");
    expect(embeddedBinaries(user, native)).to.deep.equal(copy);
    expect(readdirSync(os.tmpdir())).to.have.length(1);
  });

  it("are never run from a folder that others may write", function () {
    if (!root) skip(this, "only root starts the server as another user");
    const native = closedCopy();
    const user = serviceUser(null);
    embeddedBinaries(user, native);
    const [copy] = readdirSync(os.tmpdir());
    chmodSync(path.join(os.tmpdir(), copy ?? ""), 0o777);
    expect(() => embeddedBinaries(user, native))
      .to.throw(WorldFailure)
      .with.property("code", "STORE_EMBEDDED_UNREACHABLE");
  });

  it("are missing by name when a folder has none", () => {
    expect(() => binariesIn(folder))
      .to.throw(WorldFailure)
      .with.property("code", "STORE_EMBEDDED_MISSING");
  });
});
