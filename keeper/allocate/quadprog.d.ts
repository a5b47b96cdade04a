declare module "quadprog" {
  interface Quadprog {
    /** All arrays count from one; columns of `amat` are the constraints, `amat' b ≥ bvec`. */
    solveQP(
      dmat: readonly (readonly number[])[],
      dvec: readonly number[],
      amat: readonly (readonly number[])[],
      bvec: readonly number[],
    ): { readonly solution: readonly number[]; readonly message: string };
  }
  const quadprog: Quadprog;
  export default quadprog;
}
