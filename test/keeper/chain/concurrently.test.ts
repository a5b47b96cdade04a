import { expect } from "chai";
import { setTimeout as sleep } from "node:timers/promises";
import { concurrently } from "../../../keeper/chain/concurrently";

describe("work on a list", () => {
  it("gives results in the list's order, with as many under way as allowed and no more", async () => {
    let [underWay, most] = [0, 0];
    const items = Array.from({ length: 20 }, (_, place) => place);
    const results = await concurrently(items, 4, async (item) => {
      most = Math.max(most, (underWay += 1));
      await sleep((20 - item) % 5);
      underWay -= 1;
      return item * 2;
    });
    expect(results).to.deep.equal(items.map((item) => item * 2));
    expect(most).to.equal(4);
    expect(await concurrently([], 4, () => expect.fail("nothing to do"))).to.deep.equal([]);
  });

  it("ends with the first failure and begins nothing more", async () => {
    const begun: number[] = [];
    const work = concurrently([0, 1, 2, 3, 4, 5], 2, async (item) => {
      begun.push(item);
      await sleep(item === 1 ? 1 : 10);
      if (item === 1) throw new Error("the second");
      return item;
    });
    const error = await work.then(
      () => null,
      (reason: unknown) => reason as Error,
    );
    expect(error?.message).to.equal("the second");
    await sleep(30);
    expect(begun).to.deep.equal([0, 1]);
  });
});
