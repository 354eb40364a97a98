"""MongoDB behind the ORM: `django-mongodb-backend`, with the few places where it falls short mended.

Each override says what is wrong upstream (5.2.4) and goes when that is mended there; its test is in
`tests/config/test_mongodb.py` or `tests/test_indexes.py` and fails without it.
"""
