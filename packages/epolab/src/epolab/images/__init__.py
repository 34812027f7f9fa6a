"""Node and fabric images: named by the digest of what they are made of, built once, never half-built."""

from epolab.images.build import BuiltImage, ensure_image, image_reference

__all__ = ["BuiltImage", "ensure_image", "image_reference"]
