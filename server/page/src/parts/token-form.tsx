import { useEffect, useRef, useState } from 'preact/hooks';

interface TokenFormProps {
  /** Whether the sidecar rejected the last token. */
  readonly isRejected: boolean;
  readonly onToken: (token: string) => void;
}

/** Asks for the admin token. The page stores the token only in memory. */
export function TokenForm({ isRejected, onToken }: TokenFormProps) {
  const [token, setToken] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <main class="token">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (token.trim() !== '') onToken(token.trim());
        }}
      >
        <h2>Admin token</h2>
        <p>
          This sidecar requires the admin token. The page stores the token only until you close or reload it.
        </p>
        <label class="field">
          <span>Admin token</span>
          <input
            ref={field}
            type="password"
            autocomplete="off"
            value={token}
            aria-invalid={isRejected}
            aria-describedby={isRejected ? 'token-rejected' : undefined}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        {isRejected && (
          <p id="token-rejected" class="mistake" role="alert">
            The sidecar rejected this token.
          </p>
        )}
        <button type="submit" class="primary">
          Show the status
        </button>
      </form>
    </main>
  );
}
