// One step of `npm run check`: it has a name and gives its problems, none when all is well.

export interface Step {
  readonly name: string;
  /** Resolves with what to tell, one string a problem; several lines are fine. @throws Error for a bug of the step */
  run(): Promise<readonly string[]>;
  /** Said when the step passes: a figure worth seeing. */
  note?(): string;
}
