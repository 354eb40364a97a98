from core.api.auth import Login, Logout, Me, Refresh, Register
from core.api.docs import Docs, Schema
from core.api.health import Healthz, Readyz
from core.api.settings import SettingDetail, SettingHistory, SettingRevert
from core.routes import both

urlpatterns = [
    *both("api/schema", Schema.as_view(), "schema"),
    *both("api/docs", Docs.as_view(), "docs"),
    *both("api/auth/register", Register.as_view(), "register"),
    *both("api/auth/login", Login.as_view(), "login"),
    *both("api/auth/refresh", Refresh.as_view(), "refresh"),
    *both("api/auth/logout", Logout.as_view(), "logout"),
    *both("api/auth/me", Me.as_view(), "me"),
    *both("api/settings/<str:key>", SettingDetail.as_view(), "setting"),
    *both("api/settings/<str:key>/history", SettingHistory.as_view(), "setting-history"),
    *both("api/settings/<str:key>/revert", SettingRevert.as_view(), "setting-revert"),
    *both("healthz", Healthz.as_view(), "healthz"),
    *both("readyz", Readyz.as_view(), "readyz"),
]
