"""MLflow's protocol without a client."""
import requests


class Wire:
    def __init__(self, url: str):
        self.url = url

    def call(self, method: str, path: str, message) -> requests.Response:
        url = f"{self.url}/api/2.0/mlflow/{path}"
        if method == "GET":
            return requests.get(url, params=message)
        return requests.request(method, url, json=message)

    def ok(self, method: str, path: str, message) -> dict:
        answer = self.call(method, path, message)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def error(self, method: str, path: str, message) -> tuple[int, str, str]:
        """(status, error_code, message)"""
        answer = self.call(method, path, message)
        assert answer.status_code >= 400, answer.text
        body = answer.json()
        return answer.status_code, body["error_code"], body["message"]
