"""DRF permissions by role. A view that names none is closed.

DRF imports this while it imports `rest_framework.views`, which may therefore not be imported from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from core.roles import Role, has_role

if TYPE_CHECKING:
    from rest_framework.views import APIView


class Denied(BasePermission):
    """The default: whoever adds a view says who may use it."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return False


class _Needs(BasePermission):
    role: Role

    def role_for(self, method: str) -> Role | None:
        return self.role

    def has_permission(self, request: Request, view: APIView) -> bool:
        wanted = self.role_for(str(request.method))
        return wanted is None or has_role(request.user, wanted)


class IsViewer(_Needs):
    role = Role.VIEWER


class IsEditor(_Needs):
    role = Role.EDITOR


class IsOperator(_Needs):
    role = Role.OPERATOR


class EditorWrites(_Needs):
    """Anyone reads, editors change."""

    def role_for(self, method: str) -> Role | None:
        return None if method in SAFE_METHODS else Role.EDITOR


class OperatorWrites(_Needs):
    """Viewers read, operators change."""

    def role_for(self, method: str) -> Role | None:
        return Role.VIEWER if method in SAFE_METHODS else Role.OPERATOR


def role_wanted(permission: object, method: str) -> Role | None:
    """The role that a permission asks for with this method; None if it asks for none."""
    return permission.role_for(method) if isinstance(permission, _Needs) else None
