import { FullMesh } from "./full-mesh.ts";

/**
 * One subflow at a time, the next one when the one before has ended: a host that goes from one network to another breaks before it makes (single-path mode of Paasch
 * et al., CellNet 2012). Which addresses there are to go to is told as by the full mesh.
 */
export class SinglePath extends FullMesh {
  override readonly name: string = "single-path";

  protected override get wanted(): number {
    return 1;
  }
}
