// The VAS logo: a V as a field of view with an object in it.

export function BrandMark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="#0b6b78" />
      <path
        d="M6.5 9.5 14 23.5h4l7.5-14"
        fill="none"
        stroke="#fff"
        strokeWidth="3.2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <circle cx="16" cy="11.5" r="3.1" fill="#7ef0d4" />
    </svg>
  );
}
