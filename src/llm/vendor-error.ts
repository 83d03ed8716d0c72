// What a backend says about its own failure, from the bodies of the vendors that speak the protocol, reduced to the
// fields that tell failures apart. The text itself goes no further than the `cause` of an error.

export interface VendorError {
  /** Lower case; empty when absent. */
  readonly code: string;
  readonly type: string;
  readonly message: string;
  /** HTTP status that the body names, as llama.cpp and vLLM do; `null` when it names none. */
  readonly status: number | null;
}

const noVendorError: VendorError = { code: '', type: '', message: '', status: null };

/** From a parsed error object: `{message, type, code}`, a text, or either of them under `error`. */
export function toVendorError(value: unknown): VendorError {
  if (typeof value === 'string') return { ...noVendorError, message: value };
  if (value === null || typeof value !== 'object') return noVendorError;
  const fields = value as Record<string, unknown>;
  const inner = fields['error'];
  if (inner !== undefined && inner !== null) return toVendorError(inner);
  const status = Number(fields['code'] ?? fields['status']);
  return {
    code: toText(fields['code']).toLowerCase(),
    type: toText(fields['type']).toLowerCase(),
    message: toText(fields['message'] ?? fields['detail']),
    status: Number.isInteger(status) && status >= 400 && status <= 599 ? status : null,
  };
}

/** From the body of a refusal, which need not be JSON. */
export function parseVendorError(body: string): VendorError {
  try {
    return toVendorError(JSON.parse(body));
  } catch {
    // Swallowed: a proxy's HTML page, for example; its status says all that can be told.
    return { ...noVendorError, message: body };
  }
}

function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}
