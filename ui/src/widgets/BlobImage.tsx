// A picture from a blob in memory. The previous picture stays visible until the next one is decoded.
import { useEffect, useRef, type ImgHTMLAttributes } from 'react';

interface BlobImageProps extends Omit<ImgHTMLAttributes<HTMLImageElement>, 'src'> {
  bytes: Blob;
  alt: string;
}

export function BlobImage({ bytes, alt, ...rest }: BlobImageProps) {
  const image = useRef<HTMLImageElement>(null);
  useEffect(() => {
    const url = URL.createObjectURL(bytes);
    if (image.current) image.current.src = url;
    return () => URL.revokeObjectURL(url);
  }, [bytes]);
  return <img ref={image} alt={alt} {...rest} />;
}
