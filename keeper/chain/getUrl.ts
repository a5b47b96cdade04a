// The transport under ethers' requests. ethers' own joins an answer anew with every piece that arrives, which is the square
// of its length: sixteen megabytes of logs take seconds.
import http from "node:http";
import https from "node:https";
import { gunzipSync } from "node:zlib";
import { makeError, type FetchCancelSignal, type FetchRequest, type GetUrlResponse } from "ethers";

/** No answer to one request is larger; a node that sends more, packed or not, is not listened to. */
const MOST_BYTES = 256 * 1024 * 1024;

/** For `FetchRequest.getUrlFunc`; fails with the codes of ethers' own. */
export function getUrl(request: FetchRequest, signal?: FetchCancelSignal): Promise<GetUrlResponse> {
  return new Promise((resolve, reject) => {
    const send = new URL(request.url).protocol === "https:" ? https.request : http.request;
    const outgoing = send(request.url, {
      method: request.method,
      headers: { ...request.headers },
      timeout: request.timeout,
    });
    signal?.addListener(() => outgoing.destroy(makeError("request cancelled", "CANCELLED")));
    outgoing.on("timeout", () =>
      outgoing.destroy(makeError("request timeout", "TIMEOUT", { operation: "request", reason: "timeout", request })),
    );
    outgoing.on("error", reject);
    outgoing.once("response", (incoming) => {
      const pieces: Buffer[] = [];
      let bytes = 0;
      incoming.on("data", (piece: Buffer) => {
        pieces.push(piece);
        bytes += piece.length;
        if (bytes > MOST_BYTES) incoming.destroy(makeError("response too large", "SERVER_ERROR", { request }));
      });
      incoming.on("error", reject);
      incoming.on("end", () => {
        try {
          const whole = Buffer.concat(pieces);
          const { statusCode = 0, statusMessage = "" } = incoming;
          const body =
            incoming.headers["content-encoding"] === "gzip"
              ? gunzipSync(whole, { maxOutputLength: MOST_BYTES })
              : whole;
          resolve({ statusCode, statusMessage, headers: namesAndValues(incoming.headers), body });
        } catch {
          reject(makeError("bad response data", "SERVER_ERROR", { request }));
        }
      });
    });
    outgoing.end(request.body === null ? undefined : Buffer.from(request.body));
  });
}

function namesAndValues(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]),
  );
}
