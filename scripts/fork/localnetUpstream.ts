// The local chain as the upstream of a fork
import { WorldFailure } from "../../keeper/config/failure";
import type { Upstream } from "./upstream";

export function openLocalnet(_open: (url: string) => Promise<Upstream>): Promise<Upstream> {
  throw new WorldFailure("x", "y", { remedy: "z" });
}
