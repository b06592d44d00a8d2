"""Routes of the hub."""

app_name = "victims"
urlpatterns: list = []
