// An answer as formatted text. What a model writes is never markup of this page: raw HTML is shown as text, links lead
// out without a referrer, and pictures are links because loading one would tell a stranger that the answer was read.

import { memo, useRef } from 'react';
import ReactMarkdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { safeAddress } from '../safe-address.ts';
import { CopyButton } from './copy-button.tsx';
import { htmlAsText } from './html-as-text.ts';

const plugins = [remarkGfm, htmlAsText];

const components: Components = {
  a: ({ href, children }) =>
    href === undefined || href === '' ? (
      <span>{children}</span>
    ) : (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {children}
      </a>
    ),
  img: ({ src, alt }) =>
    typeof src === 'string' && src !== '' ? (
      <a href={src} target="_blank" rel="noopener noreferrer nofollow">
        {alt === undefined || alt === '' ? src : alt}
      </a>
    ) : (
      <span>{alt}</span>
    ),
  pre: ({ children }) => <CodeBlock>{children}</CodeBlock>,
  table: ({ children }) => (
    <div className="table-frame" tabIndex={0} role="region" aria-label="Table">
      <table>{children}</table>
    </div>
  ),
};

export const Markdown = memo(function Markdown({ text }: { readonly text: string }) {
  return (
    <ReactMarkdown remarkPlugins={plugins} components={components} urlTransform={safeAddress}>
      {text}
    </ReactMarkdown>
  );
});

function CodeBlock({ children }: { readonly children?: React.ReactNode }) {
  const block = useRef<HTMLPreElement>(null);
  return (
    <div className="code-block">
      <CopyButton label="Copy the code" text={() => block.current?.textContent ?? ''} />
      <pre ref={block} tabIndex={0}>
        {children}
      </pre>
    </div>
  );
}
