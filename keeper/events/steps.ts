// The steps of the main path, in order. A keeper may be killed between any two of them: the test that does so walks
// this list. `Checkpoint` is how it gets in; the product passes nothing.

export const STEPS = [
  "head.seen",
  "snapshot.read",
  "snapshot.stored",
  "decision.made",
  "intent.stored",
  "bundle.simulated",
  "simulation.stored",
  "submission.stored",
  "policy.passed",
  "bundle.signed",
  "bundle.sent",
  "sending.stored",
  "inclusion.read",
  "inclusion.stored",
  "finality.stored",
] as const;

export type Step = (typeof STEPS)[number];

export type Checkpoint = (step: Step) => void;

export const noCheckpoint: Checkpoint = () => undefined;
