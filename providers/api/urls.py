from core.routes import both
from providers.api import views

urlpatterns = [
    *both("api/providers", views.ProviderList.as_view(), "providers"),
    *both("api/providers/<slug:slug>", views.ProviderDetail.as_view(), "provider"),
    *both("api/providers/<slug:slug>/test", views.ProviderTest.as_view(), "provider-test"),
]
