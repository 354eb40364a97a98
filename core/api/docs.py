"""The contract itself over HTTP: the OpenAPI document, and a page to read it and to try it out."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from core.api import openapi
from core.api.contract import Tag, operation
from core.api.shapes import Document
from core.caching import Caching


class Schema(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]
    caching = Caching.SHARED

    @operation("getSchema", Tag.OPERATIONS, Document)
    def get(self, request: Request) -> HttpResponse:
        """This document.

        OpenAPI 3.1, made from the code that answers. Clients can be generated from it.
        """
        return HttpResponse(openapi.document(), content_type="application/json")


class Docs(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]
    caching = Caching.SHARED

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """It is a page, whatever a browser says that it takes; what goes wrong is a problem as everywhere."""
        return super().perform_content_negotiation(request, force=True)

    @operation("readDocs", Tag.OPERATIONS, None, media_type="text/html")
    def get(self, request: Request) -> HttpResponse:
        """This document as a page.

        For people: every operation with its examples, to be tried out.
        """
        return render(request._request, "core/docs.html")
