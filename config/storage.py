"""Static files under names that carry their hash, ES modules' imports of each other included.

Without the latter a browser could mix modules of two releases for as long as it caches them.
"""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage, following `import` in JavaScript too."""

    support_js_module_import_aggregation = True
