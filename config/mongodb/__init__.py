"""MongoDB behind the ORM: `django-mongodb-backend`, with the few places where it falls short mended."""
