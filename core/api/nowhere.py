"""The end of the API's URLs: a problem for a program that asks for what is not there."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from core.problems import Problem


class Nowhere(APIView):
    """404 for every method."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise Problem(404, "There is nothing at this address.", reason="not_found")
