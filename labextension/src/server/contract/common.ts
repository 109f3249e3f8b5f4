/** Values that the answers of several rooms hold. */

export type Scalar = string | number | boolean | null;

/** Any JSON value. */
export type Json =
  Scalar | readonly Json[] | { readonly [key: string]: Json | undefined };

export type BBox = [number, number, number, number];

export interface ILineageEdge {
  kind: string;
  id: string;
}
