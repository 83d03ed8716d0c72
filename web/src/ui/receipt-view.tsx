// A receipt for people, as it is, and as a file to take away.

import { Download } from 'lucide-react';
import type { Receipt } from '../../../src/protocol/receipt.ts';
import { keyOf, keysAddress, toFileAddress } from '../receipt-key.ts';
import { known } from '../wording.ts';
import { CopyButton } from './copy-button.tsx';

export function ReceiptView({ receipt }: { readonly receipt: Receipt }) {
  const raw = JSON.stringify(receipt, null, 2);
  const { attempts, turnId } = receipt;
  const key = keyOf(receipt);
  return (
    <div className="receipt" data-testid="receipt">
      <dl className="facts">
        <Fact name="Outcome">{receipt.incomplete ? `${receipt.outcome}, incomplete` : receipt.outcome}</Fact>
        <Fact name="Model">{receipt.model ?? 'no model replied'}</Fact>
        <Fact name="Backend">{receipt.backend ?? 'none'}</Fact>
        <Fact name="Issued">{new Date(receipt.issuedAt).toLocaleString()}</Fact>
        <Hash name="Prompt, SHA-256" value={receipt.promptSha256} />
        <Hash name="Answer, SHA-256" value={receipt.answerSha256} />
        <Hash name="Previous receipt, SHA-256" value={receipt.previousReceiptSha256} />
        <div>
          <dt>Signed by key</dt>
          <dd data-testid="receipt-key">
            {key === null ? (
              'not signed'
            ) : (
              <a href={keysAddress} target="_blank" rel="noopener noreferrer">
                <code>{key}</code>
              </a>
            )}
          </dd>
        </div>
      </dl>
      {attempts.length > 0 && (
        <div className="table-frame" tabIndex={0} role="region" aria-label="Attempts">
          <table className="facts-table">
            <caption className="quiet">Every model call of this turn, as the backend counted it</caption>
            <thead>
              <tr>
                <th scope="col">Step</th>
                <th scope="col">Attempt</th>
                <th scope="col">Outcome</th>
                <th scope="col">Tokens in</th>
                <th scope="col">Tokens out</th>
                <th scope="col">Response</th>
              </tr>
            </thead>
            <tbody>
              {attempts.map((record) => (
                <tr key={`${record.step}.${record.attempt}`}>
                  <td className="number">{record.step}</td>
                  <td className="number">{record.attempt}</td>
                  <td>
                    {record.outcome}{' '}
                    {record.errorCode !== null && <code className="error-code">{record.errorCode}</code>}
                    {record.finishReason !== null && <code className="error-code">{record.finishReason}</code>}
                  </td>
                  <td className="number">{known(record.usage.promptTokens)}</td>
                  <td className="number">{known(record.usage.completionTokens)}</td>
                  <td>{record.responseId === null ? 'none' : <code>{record.responseId}</code>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p className="receipt-file">
        <a
          className="file-link"
          data-testid="save-receipt"
          href={toFileAddress(raw)}
          download={`candor-receipt-${turnId}.json`}
        >
          <Download size={15} aria-hidden="true" />
          Save receipt
        </a>
        {key !== null && (
          <span className="quiet">
            Anybody can check it: <code>candor verify</code>
          </span>
        )}
      </p>
      <details className="raw">
        <summary>Raw receipt</summary>
        <div className="code-block">
          <CopyButton label="Copy the receipt" text={() => raw} />
          <pre tabIndex={0}>{raw}</pre>
        </div>
      </details>
    </div>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Hash({ name, value }: { readonly name: string; readonly value: string | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value === null ? 'none' : <code>{value}</code>}</dd>
    </div>
  );
}
