// X-Flashbots-Signature: who sent these bytes. The message that is signed is the 66-character hex string of the body's
// keccak256, not its 32 bytes (flashbots/go-utils signature/signature.go).
import { Signature, concat, getAddress, hexlify, isHexString, keccak256, verifyMessage } from "ethers";

export const SIGNATURE_HEADER = "x-flashbots-signature";

/**
 * Address that signed `body`, checksummed; null when the header is missing, malformed, or not by the address it names.
 * Call it with the bytes as they came, before anything parses them.
 */
export function signerOf(body: Uint8Array, header: string | undefined): string | null {
  if (header === undefined) return null;
  const parts = header.split(":");
  const [claimed, signature] = parts;
  if (parts.length !== 2 || claimed === undefined || signature === undefined) return null;
  if (!isHexString(claimed, 20) || !isHexString(signature, 65)) return null;
  try {
    const signer = verifyMessage(keccak256(body), canonical(signature));
    return signer.toLowerCase() === claimed.toLowerCase() ? getAddress(signer) : null;
  } catch {
    return null;
  }
}

/** Signers write v as 27/28 or as 0/1; both are accepted. */
function canonical(signature: string): Signature {
  const v = Number.parseInt(signature.slice(130), 16);
  if (v > 1) return Signature.from(signature);
  return Signature.from(concat([signature.slice(0, 130), hexlify(new Uint8Array([v + 27]))]));
}
