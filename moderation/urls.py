"""Routes of the platform API and of the stand-ins."""
app_name = "api"
urlpatterns: list = []
sandbox: list = []
